"""Sets a Superset up for Tieout: its own database, a user, the definitions beside this file.

Run by Superset's own Python (`make superset`), which has nothing else of the project. Belongs here:
filling in what the definitions leave open, importing them, starting the server on loopback.

    prepare.py                    make or renew the state, import the definitions
    prepare.py serve [PORT]       the same, then serve on 127.0.0.1 until Ctrl-C
    prepare.py bundle FILE.zip    only write what a Superset of your own can import

TIEOUT_HOME names the books (default .tieout). State lies in TIEOUT_HOME/superset.
"""

from __future__ import annotations

import csv
import os
import secrets
import sys
import zipfile
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
FOLDERS = ("databases", "datasets", "charts", "dashboards")
CURRENCIES = HERE.parents[1] / "seeds" / "reference" / "currencies.csv"
USER = "admin"


def definitions(database: Path) -> dict[str, str]:
    """The definitions with what depends on the company: where its file is, what its money is in.

    The path keeps the symlink `current`: each new connection then opens what is published.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute("select reporting_currency from meta.publication").fetchone()
    with CURRENCIES.open(newline="") as stream:
        exponents = {row["currency"]: int(row["exponent"]) for row in csv.DictReader(stream)}
    units = "1" + "0" * exponents[found[0]] + ".0"
    names = [HERE / "metadata.yaml"]
    for folder in FOLDERS:
        names += sorted((HERE / folder).rglob("*.yaml"))
    return {
        str(path.relative_to(HERE)): path.read_text(encoding="utf-8")
        .replace("DATABASE_URI", f"duckdb:///{database}")
        .replace("MINOR_UNITS", units)
        for path in names
    }


def bundle(database: Path, target: Path) -> None:
    """Write the zip that Superset imports (its page Dashboards, or its API)."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in definitions(database).items():
            archive.writestr(f"tieout/{name}", text)


def prepare(database: Path, state: Path) -> None:
    """Bring Superset's own database up to date, make its user and import the definitions."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from flask import g
        from flask_migrate import upgrade
        from superset import security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.extensions import appbuilder

        upgrade(directory=str(Path(sys.modules["superset"].__file__).parent / "migrations"))
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        g.user = security_manager.find_user(USER) or security_manager.add_user(
            USER, "Tieout", "Admin", "admin@localhost", security_manager.find_role("Admin"),
            _password(state),
        )  # fmt: skip
        ImportAssetsCommand(definitions(database)).run()


def _password(state: Path) -> str:
    """The one that was asked for, or one that is written where only this user reads it."""
    if asked := os.environ.get("TIEOUT_SUPERSET_PASSWORD"):
        return asked
    path = state / "admin.password"
    _write_secret(path, secrets.token_urlsafe(12))
    return path.read_text()


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)


def main(words: list[str]) -> None:
    """See the top of this file."""
    home = Path(os.environ.get("TIEOUT_HOME", ".tieout")).expanduser().resolve()
    database = home / "published" / "current" / "tieout.duckdb"
    if not database.exists():
        sys.exit(f"error: nothing is published at {database}: `tieout run` first")
    if words[:1] == ["bundle"] and len(words) == 2:
        bundle(database, Path(words[1]))
        return
    if words[:1] not in ([], ["serve"]):
        sys.exit(__doc__)
    state = home / "superset"
    state.mkdir(mode=0o700, exist_ok=True)
    if not (state / "secret.key").exists():
        _write_secret(state / "secret.key", secrets.token_urlsafe(42))
    os.environ |= {
        "TIEOUT_SUPERSET": str(state),
        "SUPERSET_CONFIG_PATH": os.environ.get(
            "SUPERSET_CONFIG_PATH", str(HERE / "superset_config.py")
        ),
        "SUPERSET_HOME": str(state),
        "SCARF_ANALYTICS": "false",
        "FLASK_APP": "superset.app:create_app()",
    }
    prepare(database, state)
    if words:
        port = words[1] if len(words) > 1 else "8088"
        secret = state / "admin.password"
        print(f"http://127.0.0.1:{port}/superset/dashboard/tieout/ · user {USER}", end=" · ")
        print(f"password in {secret}" if secret.exists() else "the password you set", flush=True)
        gunicorn = str(Path(sys.executable).with_name("gunicorn"))
        os.execv(  # noqa: S606 - no shell
            gunicorn,
            [gunicorn, "--workers", "1", "--worker-class", "gthread", "--threads", "8",
             "--timeout", "120", "--bind", f"127.0.0.1:{port}", "superset.app:create_app()"],
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
