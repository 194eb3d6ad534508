"""What a reader does: sessions, answers on screen and on paper, the model's aid."""
