"""Superset's settings for Tieout: state beside the books, nothing that reports home.

Read by Superset itself (SUPERSET_CONFIG_PATH). `prepare.py` sets TIEOUT_SUPERSET and makes the
secret. A Superset of your own needs none of this: it imports the bundle (docs/bi.md).
"""

import os
from pathlib import Path

_STATE = Path(os.environ["TIEOUT_SUPERSET"])

SECRET_KEY = (_STATE / "secret.key").read_text()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_STATE / 'superset.db'}"
# Results are read once and shown: a kept result would outlive its publication. The database and
# each dataset say so too (cache_timeout: -1), whatever a Superset of your own has here.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# Queries are short: the file is on this machine.
SQLLAB_TIMEOUT = 60
SUPERSET_WEBSERVER_TIMEOUT = 60
