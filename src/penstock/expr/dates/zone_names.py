"""What are time zones called in English? Those of Java 25: a common name with Standard, Summer or Daylight Time."""

from __future__ import annotations

import functools

# Name, then S where summer time is called so, D where it is Daylight Time; and the zones of that name.
_CHANGING = """
Acre|: America/Eirunepe America/Porto_Acre America/Rio_Branco Brazil/Acre
Alaska|D: America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat US/Alaska
Amazon|: America/Boa_Vista America/Campo_Grande America/Cuiaba America/Manaus America/Porto_Velho Brazil/West
American Samoa|: Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa
Amman|: Asia/Amman
Anadyr|: Asia/Anadyr
Arabian|: Asia/Aden Asia/Baghdad Asia/Bahrain Asia/Kuwait Asia/Qatar Asia/Riyadh
Argentina|: America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/ComodRivadavia
  America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza
  America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis
  America/Argentina/Tucuman America/Argentina/Ushuaia America/Buenos_Aires America/Catamarca America/Cordoba
  America/Jujuy America/Mendoza America/Rosario
Armenia|: Asia/Yerevan
Astrakhan|: Europe/Astrakhan
Atlantic|: America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Curacao
  America/Dominica America/Grenada America/Guadeloupe America/Kralendijk America/Lower_Princes America/Marigot
  America/Martinique America/Montserrat America/Port_of_Spain America/Puerto_Rico America/Santo_Domingo
  America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola
  America/Virgin
Atlantic|D: America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule Atlantic/Bermuda
  Canada/Atlantic
Australian Central Western|: Australia/Eucla
Australian Central|: Australia/Darwin Australia/North
Australian Central|D: Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
Australian Eastern|: Australia/Brisbane Australia/Lindeman Australia/Queensland
Australian Eastern|D: Antarctica/Macquarie Australia/ACT Australia/Canberra Australia/Currie Australia/Hobart
  Australia/Melbourne Australia/NSW Australia/Sydney Australia/Tasmania Australia/Victoria
Australian Western|: Antarctica/Casey Australia/Perth Australia/West
Azerbaijan|: Asia/Baku
Azores|S: Atlantic/Azores
Bangladesh|: Asia/Dacca Asia/Dhaka
Barnaul|: Asia/Barnaul
Bougainville|: Pacific/Bougainville
Brasilia|: America/Araguaina America/Bahia America/Belem America/Fortaleza America/Maceio America/Recife
  America/Santarem America/Sao_Paulo Brazil/East
Cape Verde|: Atlantic/Cape_Verde
Central European|: Africa/Algiers Africa/Tunis
Central European|S: Africa/Ceuta Arctic/Longyearbyen Atlantic/Jan_Mayen Europe/Amsterdam Europe/Andorra
  Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen
  Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo
  Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje
  Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich
Central|: America/Bahia_Banderas America/Belize America/Chihuahua America/Costa_Rica America/El_Salvador
  America/Guatemala America/Managua America/Merida America/Mexico_City America/Monterrey America/Regina
  America/Swift_Current America/Tegucigalpa Canada/Saskatchewan Mexico/General
Central|D: America/Chicago America/Indiana/Knox America/Indiana/Tell_City America/Knox_IN America/Matamoros
  America/Menominee America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem
  America/Ojinaga America/Rainy_River America/Rankin_Inlet America/Resolute America/Winnipeg Canada/Central US/Central
  US/Indiana-Starke
Chatham|D: Pacific/Chatham
Chile|S: America/Santiago Chile/Continental
China|: Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai
Colombia|: America/Bogota
Cook Islands|: Pacific/Rarotonga
Coyhaique|D: America/Coyhaique
Cuba|D: America/Havana
Damascus|: Asia/Damascus
Easter Island|S: Chile/EasterIsland Pacific/Easter
Eastern European|: Africa/Tripoli Europe/Kaliningrad
Eastern European|S: Africa/Cairo Asia/Beirut Asia/Gaza Asia/Hebron Asia/Nicosia Europe/Athens Europe/Bucharest
  Europe/Chisinau Europe/Helsinki Europe/Kiev Europe/Kyiv Europe/Mariehamn Europe/Nicosia Europe/Riga Europe/Sofia
  Europe/Tallinn Europe/Tiraspol Europe/Uzhgorod Europe/Vilnius Europe/Zaporozhye
Eastern|: America/Atikokan America/Cancun America/Cayman America/Coral_Harbour America/Jamaica America/Panama
Eastern|D: America/Detroit America/Fort_Wayne America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo
  America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac
  America/Indianapolis America/Iqaluit America/Kentucky/Louisville America/Kentucky/Monticello America/Louisville
  America/Montreal America/Nassau America/New_York America/Nipigon America/Pangnirtung America/Port-au-Prince
  America/Thunder_Bay America/Toronto Canada/Eastern US/East-Indiana US/Eastern US/Michigan
Falkland Islands|: Atlantic/Stanley
Famagusta|D: Asia/Famagusta
Fernando de Noronha|: America/Noronha Brazil/DeNoronha
Fiji|: Pacific/Fiji
Georgia|: Asia/Tbilisi
Greenland|S: America/Godthab America/Nuuk America/Scoresbysund
Hawaii-Aleutian|: Pacific/Honolulu Pacific/Johnston US/Hawaii
Hawaii-Aleutian|D: America/Adak America/Atka US/Aleutian
Hong Kong|: Asia/Hong_Kong
Hovd|: Asia/Hovd
Iran|: Asia/Tehran
Irkutsk|: Asia/Irkutsk
Israel|D: Asia/Jerusalem Asia/Tel_Aviv
Istanbul|: Asia/Istanbul Europe/Istanbul
Japan|: Asia/Tokyo
Kamchatka|: Asia/Kamchatka
Kirov|: Europe/Kirov
Korean|: Asia/Pyongyang Asia/Seoul
Krasnoyarsk|: Asia/Krasnoyarsk Asia/Novokuznetsk
Lord Howe|D: Australia/LHI Australia/Lord_Howe
Magadan|: Asia/Magadan
Mauritius|: Indian/Mauritius
Mexican Pacific|: America/Hermosillo America/Mazatlan Mexico/BajaSur
Moscow|: Europe/Minsk Europe/Moscow Europe/Simferopol
Mountain|: America/Creston America/Dawson_Creek America/Fort_Nelson America/Phoenix US/Arizona
Mountain|D: America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Edmonton America/Inuvik
  America/Shiprock America/Yellowknife Canada/Mountain US/Mountain
New Caledonia|: Pacific/Noumea
New Zealand|D: Antarctica/McMurdo Antarctica/South_Pole Pacific/Auckland
Newfoundland|D: America/St_Johns Canada/Newfoundland
Norfolk Island|D: Pacific/Norfolk
Novosibirsk|: Asia/Novosibirsk
Omsk|: Asia/Omsk
Pacific|D: America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana America/Vancouver Canada/Pacific
  Mexico/BajaNorte US/Pacific
Pakistan|: Asia/Karachi
Palmer|: Antarctica/Palmer
Paraguay|S: America/Asuncion
Peru|: America/Lima
Philippine|: Asia/Manila
Punta Arenas|: America/Punta_Arenas
Sakhalin|: Asia/Sakhalin
Samara|: Europe/Samara
Samoa|: Pacific/Apia
Saratov|: Europe/Saratov
Singapore|: Asia/Singapore
Srednekolymsk|: Asia/Srednekolymsk
St. Pierre & Miquelon|D: America/Miquelon
Taiwan|: Asia/Taipei
Tomsk|: Asia/Tomsk
Tonga|: Pacific/Tongatapu
Turkmenistan|: Asia/Ashgabat Asia/Ashkhabad
Ulaanbaatar|: Asia/Choibalsan Asia/Ulaanbaatar Asia/Ulan_Bator
Ulyanovsk|: Europe/Ulyanovsk
Uruguay|: America/Montevideo
Urumqi|: Asia/Kashgar Asia/Urumqi
Uzbekistan|: Asia/Samarkand Asia/Tashkent
Vanuatu|: Pacific/Efate
Vladivostok|: Asia/Ust-Nera Asia/Vladivostok
Volgograd|: Europe/Volgograd
West Africa|: Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville
  Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo
Western European|S: Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira Europe/Lisbon
Yakutsk|: Asia/Chita Asia/Khandyga Asia/Yakutsk
Yekaterinburg|: Asia/Yekaterinburg
"""
# Names that stand for themselves.
_PLAIN = """
Afghanistan Time: Asia/Kabul
Bhutan Time: Asia/Thimbu Asia/Thimphu
Bolivia Time: America/La_Paz
Brunei Time: Asia/Brunei Asia/Kuching
Casablanca Daylight Time: Africa/Casablanca
Central Africa Time: Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Juba Africa/Khartoum
  Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo
Central Indonesia Time: Asia/Makassar Asia/Ujung_Pandang
Chamorro Standard Time: Pacific/Guam Pacific/Saipan
Christmas Island Time: Indian/Christmas
Chuuk Time: Pacific/Truk
Cocos Islands Time: Asia/Yangon Indian/Cocos
Davis Time: Antarctica/Davis
Dumont d’Urville Time: Antarctica/DumontDUrville Pacific/Port_Moresby
East Africa Time: Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala
  Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro Indian/Mayotte
Eastern Indonesia Time: Asia/Jayapura
Ecuador Time: America/Guayaquil
El Aaiun Daylight Time: Africa/El_Aaiun
French Guiana Time: America/Cayenne
French Southern & Antarctic Time: Indian/Kerguelen Indian/Maldives
Galapagos Time: Pacific/Galapagos
Gambier Time: Pacific/Gambier
Gilbert Islands Time: Pacific/Wallis
Greenwich Mean Time: Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar
  Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome Africa/Timbuktu
  America/Danmarkshavn Antarctica/Troll Atlantic/Reykjavik Atlantic/St_Helena Europe/Belfast Europe/Dublin
  Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London
Gulf Standard Time: Asia/Dubai Asia/Muscat
Guyana Time: America/Guyana
India Standard Time: Asia/Calcutta Asia/Colombo Asia/Kolkata
Indian Ocean Time: Indian/Chagos
Indochina Time: Asia/Bangkok Asia/Ho_Chi_Minh Asia/Phnom_Penh Asia/Saigon Asia/Vientiane
Kazakhstan Time: Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Atyrau Asia/Oral Asia/Qostanay Asia/Qyzylorda
Kosrae Time: Pacific/Kosrae
Kyrgyzstan Time: Asia/Bishkek
Line Islands Time: Pacific/Kiritimati
Malaysia Time: Asia/Kuala_Lumpur
Marquesas Time: Pacific/Marquesas
Marshall Islands Time: Pacific/Kwajalein Pacific/Majuro Pacific/Tarawa
Mawson Time: Antarctica/Mawson
Myanmar Time: Asia/Rangoon
Nauru Time: Pacific/Nauru
Nepal Time: Asia/Kathmandu Asia/Katmandu
Niue Time: Pacific/Niue
Palau Time: Pacific/Palau
Papua New Guinea Time: Pacific/Chuuk Pacific/Yap
Phoenix Islands Time: Pacific/Enderbury Pacific/Kanton
Pitcairn Time: Pacific/Pitcairn
Rothera Time: Antarctica/Rothera
Réunion Time: Indian/Reunion
Seychelles Time: Indian/Mahe
Solomon Islands Time: Pacific/Guadalcanal Pacific/Pohnpei Pacific/Ponape
South Africa Standard Time: Africa/Johannesburg Africa/Maseru Africa/Mbabane
South Georgia Time: Atlantic/South_Georgia
Suriname Time: America/Paramaribo
Syowa Time: Antarctica/Syowa
Tahiti Time: Pacific/Tahiti
Tajikistan Time: Asia/Dushanbe
Timor-Leste Time: Asia/Dili
Tokelau Time: Pacific/Fakaofo
Tuvalu Time: Pacific/Funafuti
Venezuela Time: America/Caracas
Vostok Time: Antarctica/Vostok
Wake Island Time: Pacific/Wake
Western Indonesia Time: Asia/Jakarta Asia/Pontianak
Windhoek Daylight Time: Africa/Windhoek
Yukon Time: America/Dawson America/Whitehorse Canada/Yukon
"""


def long_name(zone: str, summer: bool) -> str:
    """Name a zone in full, in winter or in summer; empty when it has no name of its own."""
    name, kind = _names().get(zone, ("", ""))
    if not name or kind == "=":
        return name
    season = {"S": "Summer", "D": "Daylight"}.get(kind, "Standard") if summer else "Standard"
    return f"{name} {season} Time"


def general_name(zone: str) -> str:
    """Name a zone whatever the season; what has no common name is called by its city."""
    name, kind = _names().get(zone, ("", "="))
    city = zone.rpartition("/")[2].replace("_", " ")
    return f"{city if kind == '=' else name} Time"


@functools.cache
def _names() -> dict[str, tuple[str, str]]:
    found = {}
    for text, plain in ((_CHANGING, False), (_PLAIN, True)):
        for line in text.strip().replace("\n  ", " ").split("\n"):
            head, _, zones = line.partition(": ")
            name, _, kind = head.partition("|")
            found.update(dict.fromkeys(zones.split(), (name, "=" if plain else kind)))
    return found
