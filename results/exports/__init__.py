"""Records in the formats of other tools. Each module says where its format is documented."""
