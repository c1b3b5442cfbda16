"""What the apps above may hear, sent inside the changing transaction, after the row was written or deleted.

The sender is the owner's model; `owner` is the row that carries the word.
"""

from django.dispatch import Signal

# Arguments: owner, label.
label_added = Signal()
label_removed = Signal()
# Arguments: owner, key, value.
annotation_added = Signal()
annotation_removed = Signal()
