"""Areas and countries that a price can be asked for; codes are ISO 3166-1 alpha-2."""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


AREAS: dict[str, frozenset[str]] = {
    "Europe": _codes(
        "AT BE BG CH CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LT LU LV NL NO PL PT RO RS SE SI SK UA"
    ),
    "North America": _codes("CA MX US"),
    "South America": _codes("AR BR CL CO PE"),
    "Asia": _codes("CN HK ID IN JP KR KZ MY PH SG TH TW VN"),
    "Middle East and Africa": _codes("AE BH EG IL KE NG OM QA SA TR ZA"),
    "Oceania": _codes("AU NZ"),
}
NAMES = {
    "AE": "United Arab Emirates", "AR": "Argentina", "AT": "Austria", "AU": "Australia", "BE": "Belgium",
    "BG": "Bulgaria", "BH": "Bahrain", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland", "CL": "Chile",
    "CN": "China", "CO": "Colombia", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia",
    "EG": "Egypt", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GR": "Greece",
    "HK": "Hong Kong", "HR": "Croatia", "HU": "Hungary", "ID": "Indonesia", "IE": "Ireland", "IL": "Israel",
    "IN": "India", "IS": "Iceland", "IT": "Italy", "JP": "Japan", "KE": "Kenya", "KR": "South Korea",
    "KZ": "Kazakhstan", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MX": "Mexico",
    "MY": "Malaysia", "NG": "Nigeria", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand", "OM": "Oman",
    "PE": "Peru", "PH": "Philippines", "PL": "Poland", "PT": "Portugal", "QA": "Qatar", "RO": "Romania",
    "RS": "Serbia", "SA": "Saudi Arabia", "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia",
    "SK": "Slovakia", "TH": "Thailand", "TR": "Türkiye", "TW": "Taiwan", "UA": "Ukraine",
    "US": "United States", "VN": "Vietnam", "ZA": "South Africa",
}  # fmt: skip


def place_name(code: str) -> str:
    """A country's name, or its code where no name is kept here."""
    return NAMES.get(code, code)


def countries_of(place: str) -> frozenset[str] | None:
    """The countries of an area or of one country; None is anywhere."""
    if not place:
        return None
    return AREAS.get(place, frozenset([place]))
