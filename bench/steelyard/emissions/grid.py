"""codecarbon's intensity of a named grid; a place it does not know is refused, never averaged.

Left alone, codecarbon takes the world's average for a missing or unknown country and the country's
for an unknown region, and says so in a log line at most.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

from msgspec import Struct

from steelyard.record import CodecarbonSettings

NOT_INSTALLED = "codecarbon is not installed\ntry: pip install 'steelyard[energy]'"
NO_COUNTRY = "no country given, and codecarbon is not asked to guess one; name its ISO 3166-1 code"


class Grid(Struct, frozen=True, kw_only=True):
    """A grid, its kg of CO2 equivalent a kWh, and the year where codecarbon says it."""

    name: str
    kg_per_kwh: float
    year: int | None = None


class NoGrid(Struct, frozen=True, kw_only=True):
    """Why there is no intensity."""

    reason: str


class Atlas(Protocol):
    """What codecarbon knows of grids. A country is ISO 3166-1 alpha-3."""

    def countries(self) -> dict[str, dict[str, object]]:
        """Return the entry of every country; each has `country_name` and mostly `year`."""
        ...

    def kg_per_kwh(self, country: str, region: str | None) -> float:
        """Return the intensity that codecarbon multiplies with."""
        ...


def refuse(settings: CodecarbonSettings) -> str | None:
    """Say, before anything slow, why codecarbon cannot serve these settings, or return None."""
    if find_spec("codecarbon") is None:
        return NOT_INSTALLED
    if settings.country is None:
        return None
    found = look_up(settings, CodecarbonAtlas())
    return found.reason if isinstance(found, NoGrid) else None


def look_up(settings: CodecarbonSettings, atlas: Atlas) -> Grid | NoGrid:
    """Return the grid that the settings name, or why there is none."""
    country, region = settings.country, settings.region
    if country is None:
        return NoGrid(reason=NO_COUNTRY)
    entry = atlas.countries().get(country)
    if entry is None:
        return NoGrid(reason=f"codecarbon has no country {country!r}; it takes ISO 3166-1 alpha-3")
    national = atlas.kg_per_kwh(country, None)
    year = entry.get("year")
    name = str(entry["country_name"])
    if region is None:
        return Grid(name=name, kg_per_kwh=national, year=year if isinstance(year, int) else None)
    regional = atlas.kg_per_kwh(country, region)
    # It falls back on the country's figure without a word, or with one line in its log.
    if regional == national:
        return NoGrid(reason=f"codecarbon has no region {region!r} of {country}; leave it out")
    return Grid(name=f"{name}, {region}", kg_per_kwh=regional)


class CodecarbonAtlas:
    """The data that the installed codecarbon carries; reads its files, asks no network."""

    def countries(self) -> dict[str, dict[str, object]]:
        """Return its table of the world's energy mixes."""
        from codecarbon.input import DataSource

        table: dict[str, dict[str, object]] = DataSource().get_global_energy_mix_data()
        return table

    def kg_per_kwh(self, country: str, region: str | None) -> float:
        """Ask the function that its tracker asks, for one kWh."""
        from codecarbon.core.emissions import Emissions
        from codecarbon.core.units import Energy
        from codecarbon.external.geography import GeoMetadata
        from codecarbon.input import DataSource

        name = str(self.countries()[country]["country_name"])
        place = GeoMetadata(country_iso_code=country, country_name=name, region=region)
        engine = Emissions(DataSource(), "")
        return float(engine.get_private_infra_emissions(Energy.from_energy(kWh=1.0), place))
