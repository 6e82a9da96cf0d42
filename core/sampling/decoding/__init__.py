"""How a model computes, and what is drawn: open this for the speed or the odds of sampling."""
