"""What turnfold takes from other programs, and how it looks to them."""
