"""Values as text: numbers, bars, tweets and tables as the app and the commands show them."""
