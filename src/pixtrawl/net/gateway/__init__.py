"""The browser's only way to the network, behind the same address guard."""
