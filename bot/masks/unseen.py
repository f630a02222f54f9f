"""Which characters nobody sees: the one list for masks, for the names of branches, and for what people read."""

# For the inside of a character class of `regex`: controls, halves of characters, ends of lines, what Unicode says may
# be ignored, and what no category tells: an empty braille cell, marks around annotations, a filler.
UNSEEN = r"\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb\U00016fe4"
