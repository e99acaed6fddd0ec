/**
 * Makes the three CSV files of this folder from the npm package `vega-datasets`. Nobody needs it to run the simulator:
 * it is here so that what was done to the data can be read, and done again.
 *
 *   npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
 *   node devices-sim/data/prepare.mjs package/data
 */
import { readFileSync, writeFileSync } from 'node:fs';

const sourceFolder = process.argv[2];
if (sourceFolder === undefined) {
  console.error('usage: node prepare.mjs FOLDER   (the folder `data` of the unpacked package vega-datasets)');
  process.exit(2);
}

write('daily-weather.csv', 'site,date,precipitation,temp_max,temp_min,wind,weather', dailyWeather());
write('hourly-normals.csv', 'time,pressure,temperature,wind', hourlyNormals());
write('seismic-events.csv', 'network,time,magnitude,depth_km,latitude,longitude', seismicEvents());

/** All rows, as they are; only the site's name becomes one that fits into a topic. */
function dailyWeather() {
  return csvRows('weather.csv').map((row) => row.replace('New York', 'new-york').replace('Seattle', 'seattle'));
}

/** Every third hour (00, 03, 06, …), the hours of synoptic observations, which keeps the file small. */
function hourlyNormals() {
  return csvRows('seattle-weather-hourly-normals.csv')
    .filter((row) => Number(row.slice(11, 13)) % 3 === 0)
    .map((row) => row.replace(':00:00,', ':00,'));
}

/** Network, time, size and place of every event that has a magnitude, in the order in which they happened. */
function seismicEvents() {
  const { features } = JSON.parse(readFileSync(`${sourceFolder}/earthquakes.json`, 'utf8'));
  return features
    .filter(({ properties }) => typeof properties.mag === 'number')
    .sort((a, b) => a.properties.time - b.properties.time)
    .map(({ properties, geometry }) => {
      const [longitude, latitude, depthKm] = geometry.coordinates;
      const time = `${new Date(properties.time).toISOString().slice(0, 19)}Z`;
      const magnitude = Number(properties.mag.toFixed(2));
      const place = [latitude, longitude].map((degrees) => Number(degrees.toFixed(2)));
      return [properties.net, time, magnitude, Number(depthKm.toFixed(1)), ...place].join(',');
    });
}

function csvRows(file) {
  return readFileSync(`${sourceFolder}/${file}`, 'utf8').trim().split(/\r?\n/).slice(1);
}

function write(file, header, rows) {
  writeFileSync(new URL(file, import.meta.url), `${[header, ...rows].join('\n')}\n`);
  console.log(`${file}: ${rows.length} readings`);
}
