"""What a third party adds to nxscatter."""
