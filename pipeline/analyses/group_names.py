"""What effects by group are called in results tables; exhibits and disclosure read it."""

BY_GROUP = "groups"
