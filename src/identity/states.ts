import type { StateCodeCountry } from "./field.ts";

/** Names of states in letters only, without marks, and their postal codes. */
const LISTS: Readonly<Record<StateCodeCountry | "US", string>> = {
  US:
    "alabama al alaska ak americansamoa as arizona az arkansas ar california ca colorado co connecticut ct delaware de " +
    "districtofcolumbia dc washingtondc dc florida fl georgia ga guam gu hawaii hi idaho id illinois il indiana in iowa ia " +
    "kansas ks kentucky ky louisiana la maine me maryland md massachusetts ma michigan mi minnesota mn mississippi ms " +
    "missouri mo montana mt nebraska ne nevada nv newhampshire nh newjersey nj newmexico nm newyork ny northcarolina nc " +
    "northdakota nd northernmarianaislands mp ohio oh oklahoma ok oregon or pennsylvania pa puertorico pr rhodeisland ri " +
    "southcarolina sc southdakota sd tennessee tn texas tx utah ut vermont vt virginia va virginislands vi " +
    "usvirginislands vi washington wa washingtonstate wa westvirginia wv wisconsin wi wyoming wy",
  AU:
    "australiancapitalterritory act newsouthwales nsw northernterritory nt queensland qld southaustralia sa tasmania tas " +
    "victoria vic westernaustralia wa",
  BR:
    "acre ac alagoas al amapa ap amazonas am bahia ba ceara ce distritofederal df espiritosanto es goias go maranhao ma " +
    "matogrosso mt matogrossodosul ms minasgerais mg para pa paraiba pb parana pr pernambuco pe piaui pi riodejaneiro rj " +
    "riograndedonorte rn riograndedosul rs rondonia ro roraima rr santacatarina sc saopaulo sp sergipe se tocantins to",
  CA:
    "alberta ab britishcolumbia bc manitoba mb newbrunswick nb newfoundlandandlabrador nl newfoundland nl " +
    "northwestterritories nt novascotia ns nunavut nu ontario on princeedwardisland pe quebec qc saskatchewan sk yukon yt " +
    "yukonterritory yt",
  IN:
    "andamanandnicobarislands an andhrapradesh ap arunachalpradesh ar assam as bihar br chandigarh ch chhattisgarh cg " +
    "dadraandnagarhavelianddamananddiu dh delhi dl nctofdelhi dl goa ga gujarat gj haryana hr himachalpradesh hp " +
    "jammuandkashmir jk jharkhand jh karnataka ka kerala kl ladakh la lakshadweep ld madhyapradesh mp maharashtra mh " +
    "manipur mn meghalaya ml mizoram mz nagaland nl odisha od orissa od puducherry py pondicherry py punjab pb rajasthan " +
    "rj sikkim sk tamilnadu tn telangana ts tripura tr uttarpradesh up uttarakhand uk uttaranchal uk westbengal wb",
  MX:
    "aguascalientes agu bajacalifornia bcn bajacaliforniasur bcs campeche cam chiapas chp chihuahua chh " +
    "ciudaddemexico cmx mexicocity cmx coahuila coa colima col durango dur estadodemexico mex mexico mex guanajuato gua " +
    "guerrero gro hidalgo hid jalisco jal michoacan mic morelos mor nayarit nay nuevoleon nle oaxaca oax puebla pue " +
    "queretaro que quintanaroo roo sanluispotosi slp sinaloa sin sonora son tabasco tab tamaulipas tam tlaxcala tla " +
    "veracruz ver yucatan yuc zacatecas zac",
};

/** Name in letters only and without marks → code, for each country. */
export const STATE_CODES: Readonly<Record<string, ReadonlyMap<string, string>>> = Object.fromEntries(
  Object.entries(LISTS).map(([country, list]) => {
    const words = list.split(" ");
    const codes = new Map<string, string>();
    for (let at = 0; at < words.length; at += 2) codes.set(words[at] ?? "", words[at + 1] ?? "");
    return [country.toLowerCase(), codes];
  }),
);
