"""What a company's sources are and how each column of them is to be read."""
