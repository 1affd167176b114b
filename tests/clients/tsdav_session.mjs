// One sitting with tsdav: node tsdav_session.mjs URL, user and password in the environment.
// Says in lines of JSON what it found; goes on at each line it is told: "sync", "write", "end".
import { createInterface } from "node:readline";
import { DAVClient } from "tsdav";

const say = (what) => console.log(JSON.stringify(what));
const objects = (list) => Object.fromEntries(list.map((one) => [one.url, one.data ?? null]));

const client = new DAVClient({
  serverUrl: process.argv[2],
  credentials: { username: process.env.CALENDAR_USER, password: process.env.CALENDAR_PASSWORD },
  authMethod: "Basic",
  defaultAccountType: "caldav",
});
await client.login();
const calendars = await client.fetchCalendars();
const visits = calendars.find((one) => one.components.includes("VEVENT"));
const known = {
  ...visits,
  objects: await client.fetchCalendarObjects({ calendar: visits }),
  objectMultiGet: (wanted) => client.calendarMultiGet(wanted),
};
say({ name: visits.displayName, objects: objects(known.objects) });

async function sync() {
  const found = await client.smartCollectionSyncDetailed({ collection: known, method: "webdav", account: client.account });
  const { created, updated, deleted } = found.objects;
  known.syncToken = found.syncToken;
  say({ created: objects(created), updated: objects(updated), deleted: objects(deleted) });
}

async function write() {
  const [first] = known.objects;
  const iCalString = first.data.replace("SUMMARY:", "SUMMARY:Min ");
  say({
    create: (await client.createCalendarObject({ calendar: visits, filename: "min.ics", iCalString })).status,
    update: (await client.updateCalendarObject({ calendarObject: { ...first, data: iCalString } })).status,
    delete: (await client.deleteCalendarObject({ calendarObject: first })).status,
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") break;
  await (line === "sync" ? sync() : write());
}
process.exit(0);
