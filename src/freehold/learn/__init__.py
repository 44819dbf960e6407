"""How weights change: batches, optimizer, schedule, precision, checkpoint and the loop over them."""
