"""What the demonstration does, one step a file: corpus, models, scores, samples."""
