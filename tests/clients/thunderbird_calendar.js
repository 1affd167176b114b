// Runs inside Thunderbird, with its own calendar code: what a person does in its windows.
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");

function observed(what) {
  const nothing = () => {};
  const observer = { QueryInterface: ChromeUtils.generateQI(["calIObserver"]), ...what };
  for (const one of ["StartBatch", "EndBatch", "AddItem", "ModifyItem", "DeleteItem", "PropertyChanged", "Error", "Load"])
    observer[`on${one}`] ??= nothing;
  observer.onPropertyDeleting = nothing;
  cal.manager.addCalendarObserver(observer);
}

const calendar = () => cal.manager.getCalendars().find((one) => one.type === "caldav");
const items = () => calendar().getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
const loaded = () => new Promise((resolve) => observed({ onLoad: (one) => one.type === "caldav" && resolve() }));

async function shown() {
  const found = await items();
  return Object.fromEntries(found.map((one) => [one.id, one.startDate.getInTimezone(cal.dtz.UTC).icalString]));
}

const does = {
  // "New calendar, on the network": address, name and password; then the first calendar offered.
  async open(address, user, password) {
    Services.prefs.setBoolPref("signon.rememberSignons", true); // its remote control turns it off
    const offered = await cal.provider.detection.detect(user, password, address, true, [], {});
    const [, calendars] = [...offered].find(([provider]) => provider.type === "caldav");
    const chosen = calendars.find((one) => one.getProperty("capabilities.events.supported") !== false);
    chosen.setProperty("cache.enabled", true);
    const isLoaded = loaded();
    cal.manager.registerCalendar(chosen);
    await isLoaded;
    const version = Services.appinfo.version;
    return { version, name: chosen.name, readOnly: calendar().readOnly, events: await shown() };
  },

  async sync() {
    const isLoaded = loaded();
    calendar().refresh();
    await isLoaded;
    return shown();
  },

  // What it reports when somebody takes the mark "read only" away and writes.
  async write() {
    const reported = [];
    observed({ onError: (_, status, message) => reported.push(message || status.toString(16)) });
    calendar().readOnly = false;
    const [first] = await items();
    const changed = first.clone();
    changed.title = "Min";
    const own = changed.clone();
    own.id = "min";
    const refused = {};
    for (const [name, attempt] of [
      ["create", () => calendar().addItem(own)],
      ["update", () => calendar().modifyItem(changed, first)],
      ["delete", () => calendar().deleteItem(first)],
    ]) {
      reported.length = 0;
      await attempt().catch((error) => reported.push(String(error.message)));
      refused[name] = [...reported];
    }
    return { refused, titles: (await items()).map((one) => one.title) };
  },
};

const [wanted, ...given] = args;
return does[wanted](...given);
