"""What goes into the networks: crops, shards of samples and the data sets they come from."""
