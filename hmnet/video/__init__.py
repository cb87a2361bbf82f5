"""A person in a video: frames read, followed, smoothed and written, each in a file of its own."""
