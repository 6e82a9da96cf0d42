"""The steps that the app and the command line share; nothing below may use them."""
