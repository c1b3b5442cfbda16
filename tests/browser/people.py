"""The users of the admin in the tests, by name their group."""

PASSWORD = "only for these tests"
PEOPLE = {"vera": "viewer", "olaf": "operator", "ada": "admin"}
