/* map-gl.js - the map by MapLibre: a module, for devices that have WebGL2. It
 * answers to what map.js says of maps. */
import {Map as LibreMap, Marker} from '../maplibre/maplibre-gl.mjs';

const c = window.community;
const EMPTY = {type: 'FeatureCollection', features: []};
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const feature = (geometry) => geometry ? {type: 'Feature', properties: {}, geometry} : EMPTY;

const names = (dark) => `${location.origin}/tiles/labels/{z}/{x}/{y}@2x.png?palette=${dark ? 'dark' : 'light'}&lang=${c.lang}`;

/** The city's base map: the style of a layer without its own layers, and names. */
async function baseStyle(layer, dark) {
  const style = await c.get(`/styles/${encodeURIComponent(layer)}.json`, {});
  style.layers = style.layers.filter((l) => l.type === 'background' || (l.source !== layer));
  delete style.sources[layer];
  // Names as the server writes them: each once, wherever tiles end.
  style.sources.names = {type: 'raster', tiles: [names(dark)], tileSize: 256, maxzoom: 18};
  style.layers.push({id: 'names', type: 'raster', source: 'names', paint: {'raster-fade-duration': 0}});
  style.sources.area = {type: 'geojson', data: EMPTY};
  style.sources.outline = {type: 'geojson', data: EMPTY};
  style.layers.push(
    {id: 'area', type: 'fill', source: 'area', paint: {'fill-opacity': 0.14}},
    {id: 'area rim', type: 'line', source: 'area', layout: {'line-join': 'round'}, paint: {'line-width': 1.6, 'line-opacity': 0.8}},
    {id: 'outline', type: 'line', source: 'outline', paint: {'line-width': 1.6, 'line-dasharray': [3, 2]}});
  return style;
}

c.maplibre = async (element, of) => {
  const map = new LibreMap({
    container: element, style: await baseStyle(of.layer, of.dark), ...(of.view ? {center: [of.view[0], of.view[1]], zoom: of.view[2] - 1} : {bounds: of.box}),
    minZoom: 7, maxZoom: 19, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: of.still ? 0 : 150,
    locale: {'Map.Title': c.t('map')},
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const paint = () => {
    const set = (layer, property, value) => map.getLayer(layer) && map.setPaintProperty(layer, property, value);
    for (const l of map.getStyle().layers) {
      if (l.type === 'background') set(l.id, 'background-color', token('--land'));
      else if (/ base$/.test(l.id)) set(l.id, l.type === 'line' ? 'line-color' : 'fill-color', token(`--${/water/.test(l.id) ? 'water' : l.type === 'line' ? 'road' : 'building'}`));
    }
    set('area', 'fill-color', token('--choice'));
    set('area rim', 'line-color', token('--choice'));
    set('outline', 'line-color', token('--quiet'));
  };
  await new Promise((done, fail) => {
    map.once('style.load', done);
    map.once('error', (e) => fail(e.error));
    setTimeout(() => fail(new Error('the map takes too long')), 15000);
  }).catch((error) => { map.remove(); throw error; });
  paint();
  map.on('error', () => {});
  map.getCanvas().setAttribute('aria-label', c.t('map'));
  let marks = [], what = {places: []};
  const move = (options) => Object.assign({duration: of.still ? 0 : 400}, options);
  return {
    kind: 'maplibre',
    show(now) {
      what = now;
      for (const mark of marks) mark.remove();
      marks = now.places.map((row) => new Marker({element: c.mark(row, of.chosen)}).setLngLat(row.geometry.coordinates).addTo(map));
      if (now.here) marks.push(new Marker({element: c.hereMark(now.hereName)}).setLngLat(now.here).addTo(map));
      map.getSource('area').setData(feature(now.area));
      map.getSource('outline').setData(feature(now.outline));
    },
    choose(id) {
      const row = what.places.find((one) => one.id === id);
      if (row && !map.getBounds().contains(row.geometry.coordinates)) map.panTo(row.geometry.coordinates, move({}));
    },
    fit() {
      const box = c.boundsOf(what), {top, right, bottom, left, most} = c.mapFit;
      if (box) map.fitBounds(box, move({padding: {top, right, bottom, left}, maxZoom: most - 1}));
    },
    pan: (dx, dy) => map.panBy([dx, dy], move({})),
    zoom: (by) => map.zoomTo(map.getZoom() + by, move({})),
    centre: () => map.getCenter().toArray(),
    theme(dark) {
      map.getSource('names').setTiles([names(dark)]);
      paint();
    },
    resize: () => map.resize(),
  };
};
