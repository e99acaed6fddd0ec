/** The header Retry-After (RFC 9110, section 10.2.3): a number of seconds, or a date in one of the three forms of section 5.6.7. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const DATES = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) ${TIME} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[\d ]\d) ${TIME} (?<year>\d{4})$`),
];

/** @returns milliseconds from now on, 0 for what is over; null if the text says nothing */
export function parseRetryAfter(text: string, nowMs: number): number | null {
  const value = text.trim();
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const dateMs = parseHttpDate(value, nowMs);
  return dateMs === null ? null : Math.max(0, dateMs - nowMs);
}

function parseHttpDate(text: string, nowMs: number): number | null {
  for (const pattern of DATES) {
    const found = pattern.exec(text)?.groups;
    if (found === undefined) continue;
    const { day, month = '', year = '', hour, minute, second } = found;
    const monthIndex = MONTHS.indexOf(month);
    if (monthIndex === -1) return null;
    const fullYear = year.length === 4 ? Number(year) : fullYearOf(Number(year), nowMs);
    return Date.UTC(fullYear, monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  }
  return null;
}

/** "a timestamp that appears to be more than 50 years in the future": the most recent year in the past that had the same last two digits. */
function fullYearOf(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
