"""What holds for the repository as text: layers, layout, links, names, SQL that two engines run."""
