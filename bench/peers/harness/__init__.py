"""What the runner and the drivers of bench/peers share."""
