"""Simulate what one person's wearable, camera, microphone and diary would give, one file a modality.

Each simulator takes the value its modality shows and a numpy Generator; everything else is nuisance variation.
"""
