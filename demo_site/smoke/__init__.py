"""``make smoke``: the main job from the editor's form to the author's mailbox, without a screen."""
