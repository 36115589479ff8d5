"""Tools as pure functions: asked again after each round of answers, they say what they need next."""
