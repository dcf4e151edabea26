"""How the devices of a machine are linked: told, drawn, measured by copies, and what follows for a run's towers."""
