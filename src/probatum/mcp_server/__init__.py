"""A campaign as a server of the Model Context Protocol, for agents: they try and look, and change no judge."""
