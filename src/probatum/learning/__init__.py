"""How things are learned: the contract of a learner, the learners, and the metrics that judge them."""
