"""What proves that Penstock does what it says? One folder per floor, and the house's own rules in `house`."""
