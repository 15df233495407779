"""Strain profiles of ion-implanted crystals from their X-ray rocking curves."""
