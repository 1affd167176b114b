// What a JavaScript parser reads in many calendars: node parsers.mjs PARSER FOLDER -> JSON by file.
// Each event as {uid, start, end, summary, location, description, status, sequence, alarms}; an absent text is "".
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ICAL from "ical.js";
import ical from "node-ical";
import { convertIcsCalendar } from "ts-ics";

const instant = (date) => (date ? date.toISOString().replace(".000Z", "Z") : null);
const text = (value) => value ?? "";

function icalJs(body) {
  const calendar = new ICAL.Component(ICAL.parse(body));
  const zones = new Map(
    calendar.getAllSubcomponents("vtimezone").map((one) => [one.getFirstPropertyValue("tzid"), new ICAL.Timezone(one)]),
  );
  const at = (event, name) => {
    const property = event.getFirstProperty(name);
    if (!property) return null;
    const time = property.getFirstValue();
    time.zone = zones.get(property.getParameter("tzid")) ?? time.zone;
    return instant(time.toJSDate());
  };
  return calendar.getAllSubcomponents("vevent").map((event) => ({
    uid: event.getFirstPropertyValue("uid"),
    start: at(event, "dtstart"),
    end: at(event, "dtend"),
    summary: text(event.getFirstPropertyValue("summary")),
    location: text(event.getFirstPropertyValue("location")),
    description: text(event.getFirstPropertyValue("description")),
    status: event.getFirstPropertyValue("status"),
    sequence: event.getFirstPropertyValue("sequence"),
    alarms: event.getAllSubcomponents("valarm").map((one) => one.getFirstPropertyValue("trigger").toSeconds()),
  }));
}

function nodeIcal(body) {
  return Object.values(ical.sync.parseICS(body))
    .filter((one) => one.type === "VEVENT")
    .map((event) => ({
      uid: event.uid,
      start: instant(event.start),
      end: instant(event.end) === instant(event.start) ? null : instant(event.end), // it makes an end of its own
      summary: text(event.summary),
      location: text(event.location),
      description: text(event.description),
      status: event.status,
      sequence: Number(event.sequence),
      alarms: (event.alarms ?? []).map((one) => one.trigger),
    }));
}

const seconds = ({ before, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 }) =>
  (before ? -1 : 1) * ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds);

function tsIcs(body) {
  return (convertIcsCalendar(undefined, body).events ?? []).map((event) => ({
    uid: event.uid,
    start: instant(event.start.date),
    end: instant(event.end?.date),
    summary: text(event.summary),
    location: text(event.location),
    description: text(event.description),
    status: event.status,
    sequence: event.sequence ?? 0, // it drops a SEQUENCE of 0, which is the default
    alarms: (event.alarms ?? []).map((one) => seconds(one.trigger.value)),
  }));
}

const readers = { "ical.js": icalJs, "node-ical": nodeIcal, "ts-ics": tsIcs };
const [wanted, folder] = process.argv.slice(2);
const found = {};
for (const file of readdirSync(folder)) {
  try {
    found[file] = readers[wanted](readFileSync(join(folder, file), "utf8"));
  } catch (error) {
    found[file] = String(error);
  }
}
console.log(JSON.stringify(found));
