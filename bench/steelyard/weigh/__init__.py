"""A person's own labelled data -> a task, its split, trained specialists, and what may be said."""
