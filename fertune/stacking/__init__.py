"""From the best configurations to one ensemble, and an honest word on whether it helped."""
