"""What one of the units is called, by what they are called together: looked up, never cut."""

from typing import Literal

LanguageCode = Literal["en", "es", "pt"]

# Plurals of which a language's singular is known.
_ONE: dict[LanguageCode, dict[str, str]] = {
    "en": {
        "firms": "firm",
        "plants": "plant",
        "companies": "company",
        "enterprises": "enterprise",
        "businesses": "business",
        "establishments": "establishment",
        "factories": "factory",
        "farms": "farm",
        "producers": "producer",
        "cooperatives": "cooperative",
        "exporters": "exporter",
        "suppliers": "supplier",
        "start-ups": "start-up",
        "shops": "shop",
        "stores": "store",
        "restaurants": "restaurant",
        "hotels": "hotel",
        "schools": "school",
        "hospitals": "hospital",
        "banks": "bank",
        "branches": "branch",
        "counties": "county",
        "municipalities": "municipality",
        "districts": "district",
        "regions": "region",
        "villages": "village",
        "households": "household",
        "people": "person",
        "persons": "person",
        "workers": "worker",
        "units": "unit",
    },
    "es": {
        "empresas": "empresa",
        "plantas": "planta",
        "firmas": "firma",
        "compañías": "compañía",
        "establecimientos": "establecimiento",
        "negocios": "negocio",
        "fábricas": "fábrica",
        "explotaciones": "explotación",
        "fincas": "finca",
        "productores": "productor",
        "cooperativas": "cooperativa",
        "exportadoras": "exportadora",
        "restaurantes": "restaurante",
        "escuelas": "escuela",
        "bancos": "banco",
        "sucursales": "sucursal",
        "condados": "condado",
        "municipios": "municipio",
        "regiones": "región",
        "hogares": "hogar",
        "personas": "persona",
        "unidades": "unidad",
    },
    "pt": {
        "empresas": "empresa",
        "plantas": "planta",
        "firmas": "firma",
        "companhias": "companhia",
        "estabelecimentos": "estabelecimento",
        "negócios": "negócio",
        "fábricas": "fábrica",
        "indústrias": "indústria",
        "fazendas": "fazenda",
        "produtores": "produtor",
        "cooperativas": "cooperativa",
        "exportadoras": "exportadora",
        "restaurantes": "restaurante",
        "escolas": "escola",
        "bancos": "banco",
        "agências": "agência",
        "condados": "condado",
        "municípios": "município",
        "regiões": "região",
        "domicílios": "domicílio",
        "pessoas": "pessoa",
        "unidades": "unidade",
    },
}

# What one is called where its word is not known, and params do not give it.
_UNIT: dict[LanguageCode, str] = {"en": "unit", "es": "unidad", "pt": "unidade"}


def one_of(firms: str, language: LanguageCode) -> str:
    """Return what one of the firms is called; a unit where the language's list lacks the word."""
    return _ONE[language].get(firms.strip().lower(), _UNIT[language])
