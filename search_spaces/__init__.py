"""The search spaces that come with fertune, one YAML file each; in the package they are ``fertune.search_spaces``."""
