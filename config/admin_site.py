"""Look and navigation of the admin: named for its tasks, in the order an editor needs them."""

from typing import Any, Final

from django.templatetags.static import static
from django.urls import reverse_lazy


def _table(title: str, icon: str, view: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}_changelist")}


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Inference Atlas",
    "SITE_HEADER": "Inference Atlas",
    "SITE_SUBHEADER": "Facts, sources, estimates",
    "SITE_SYMBOL": "explore",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("explorer/icon.svg")}
    ],
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "estimates.dashboard.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 215)",
            "100": "oklch(94% .04 215)",
            "200": "oklch(89% .07 215)",
            "300": "oklch(81% .09 215)",
            "400": "oklch(70% .11 215)",
            "500": "oklch(60% .11 218)",
            "600": "oklch(51% .10 220)",
            "700": "oklch(45% .09 222)",
            "800": "oklch(39% .07 224)",
            "900": "oklch(34% .06 226)",
            "950": "oklch(26% .05 228)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Hardware",
                "items": [
                    _table("Accelerators", "memory", "catalog_accelerator"),
                    _table("Systems", "dns", "catalog_system"),
                    _table("Offers", "inventory_2", "catalog_offer"),
                    _table("Vendors", "factory", "catalog_vendor"),
                ],
            },
            {
                "title": "Models and workloads",
                "items": [
                    _table("Models", "neurology", "catalog_languagemodel"),
                    _table("Names in sources", "alternate_email", "catalog_modelalias"),
                    _table("Workloads", "forum", "catalog_workload"),
                ],
            },
            {
                "title": "Prices",
                "items": [
                    _table("Price quotes", "request_quote", "catalog_pricequote"),
                    _table("Purchase prices", "sell", "catalog_purchaseprice"),
                    _table("Token prices", "toll", "catalog_tokenprice"),
                    _table("Providers", "cloud", "catalog_provider"),
                ],
            },
            {
                "title": "Evidence",
                "items": [
                    _table("Figures", "rule", "catalog_figure"),
                    _table("Sources", "menu_book", "catalog_source"),
                    _table("Measurements", "speed", "catalog_measurementrun"),
                    _table("Claims", "campaign", "catalog_publishedclaim"),
                ],
            },
            {
                "title": "Estimates",
                "items": [
                    _table("Estimates", "query_stats", "estimates_estimate"),
                    _table("Calculations", "calculate", "estimates_calculation"),
                    _table("Calculation runs", "autorenew", "estimates_calculationrun"),
                    _table("Movements", "swap_vert", "estimates_movement"),
                    _table("Jobs", "pending_actions", "estimates_job"),
                    _table("Workers", "engineering", "estimates_worktally"),
                    _table("Schedules", "schedule", "estimates_schedule"),
                    _table("Runs of schedules", "history", "estimates_scheduledrun"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _table("Users", "person", "auth_user"),
                    _table("Groups", "group", "auth_group"),
                ],
            },
        ],
    },
}
