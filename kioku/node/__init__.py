"""The part of kioku that talks to the network, over a replica and a link."""
