// write_sample.mjs - rows to write to the sample city, and how many it has.
import { ask } from './ask.mjs';
import { SOUTH, WEST } from './sample.mjs';
import { untilWithin } from './until.mjs';

export const ITEMS = '/collections/place/items';
export const until = untilWithin(120e3);
export const text = (value) => JSON.stringify(value);

/** A row of places, in the unit U11 unless it is said where. */
export function feature(id, { lon = WEST + 0.15, lat = SOUTH + 0.15, ...properties } = {}) {
    return { type: 'Feature', id, geometry: { type: 'Point', coordinates: [lon, lat] },
        properties: { kind: 'shop', weight: 1, at: '2023-04-01T12:00:00+08:00', ...properties } };
}
export const collection = (features) => ({ type: 'FeatureCollection', features });
export const countOf = async (url) => (await ask(`${url}${ITEMS}?limit=1`)).json().numberMatched;
