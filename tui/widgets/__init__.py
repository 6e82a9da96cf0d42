"""The widgets of mynah's app: small, self-contained, each with its own style and messages."""
