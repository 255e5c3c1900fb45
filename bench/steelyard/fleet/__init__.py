"""The same cells on many devices, by Dask `distributed`; a device's records come home verified."""
