/* map.js - the map, by whichever means the device has: MapLibre where there is
 * WebGL2, else pictures in Leaflet, else none. Both are asked alike:
 *
 *   show({places, here, area, outline})   marks with numbers, where one starts, GeoJSON or null
 *   choose(id)  fit()  pan(dx, dy)  zoom(by)  centre() -> [lon, lat]  theme(dark)  resize()
 */
(function (c) {
  'use strict';

  const FIT = c.mapFit = {left: 52, top: 60, right: 64, bottom: 56, most: 16};

  /** An element of the head, once it is loaded. */
  const load = c.load = (tag, of) => new Promise((done, fail) => {
    const e = document.createElement(tag);
    Object.assign(e, of);
    e.onload = () => done();
    e.onerror = () => fail(new Error(of.src || of.href));
    document.head.append(e);
  });

  /** The mark of a place: a button, so that it is in the order of the Tab key. */
  c.mark = (row, choose) => c.h('button', {type: 'button', class: `mark${row.open === false ? ' is-closed' : ''}`, textContent: row.number, 'data-id': row.id,
    'aria-label': `${row.number} ${row.title}`, on: {click: (e) => { e.stopPropagation(); choose(row.id); }}});
  c.hereMark = (label) => c.h('span', {class: 'here', role: 'img', 'aria-label': label, title: label});

  /** West, south, east, north of everything that is shown; null: nothing. */
  c.boundsOf = (what) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const walk = (x) => {
      if (typeof x[0] !== 'number') return x.forEach(walk);
      box[0] = Math.min(box[0], x[0]);
      box[1] = Math.min(box[1], x[1]);
      box[2] = Math.max(box[2], x[0]);
      box[3] = Math.max(box[3], x[1]);
      return undefined;
    };
    for (const row of what.places) walk(row.geometry.coordinates);
    if (what.here) walk(what.here);
    if (what.area) walk(what.area.coordinates);
    else if (what.outline) walk(what.outline.coordinates);
    return box[0] <= box[2] ? box : null;
  };

  function leaflet(element, of) {
    const {L} = window;
    const map = L.map(element, {zoomControl: false, attributionControl: false, minZoom: 8, maxZoom: 19, zoomAnimation: !of.still, fadeAnimation: !of.still, markerZoomAnimation: !of.still});
    const source = (dark) => `/tiles/base/{z}/{x}/{y}{r}.png?palette=${dark ? 'dark' : 'light'}&lang=${c.lang}`;
    const tiles = L.tileLayer(source(of.dark), {maxZoom: 19, detectRetina: false}).addTo(map);
    const shapes = L.layerGroup().addTo(map), marks = L.layerGroup().addTo(map);
    let what = {places: []};
    const place = (at) => [at[1], at[0]];
    const bounds = (box) => L.latLngBounds([box[1], box[0]], [box[3], box[2]]);
    if (of.view) map.setView([of.view[1], of.view[0]], of.view[2]);
    else map.fitBounds(bounds(of.box));
    const icon = (html, size) => L.divIcon({html, className: 'pin', iconSize: [size, size]});
    return {
      kind: 'leaflet',
      show(now) {
        what = now;
        shapes.clearLayers();
        marks.clearLayers();
        if (now.outline) shapes.addLayer(L.geoJSON(now.outline, {style: {className: 'outline', fill: false}, interactive: false}));
        if (now.area) shapes.addLayer(L.geoJSON(now.area, {style: {className: 'area'}, interactive: false}));
        if (now.here) marks.addLayer(L.marker(place(now.here), {icon: icon(c.hereMark(now.hereName), 22), keyboard: false, interactive: false}));
        for (const row of now.places) {
          marks.addLayer(L.marker(place(row.geometry.coordinates), {icon: icon(c.mark(row, of.chosen), 44), keyboard: false, riseOnHover: true}));
        }
      },
      choose(id) {
        const row = what.places.find((one) => one.id === id);
        const at = row && place(row.geometry.coordinates);
        if (at && !map.getBounds().pad(-0.1).contains(at)) map.panTo(at, {animate: !of.still});
      },
      fit() {
        const box = c.boundsOf(what);
        if (box) map.fitBounds(bounds(box), {paddingTopLeft: [FIT.left, FIT.top], paddingBottomRight: [FIT.right, FIT.bottom], maxZoom: FIT.most, animate: !of.still});
      },
      pan: (dx, dy) => map.panBy([dx, dy], {animate: !of.still}),
      zoom: (by) => map.setZoom(map.getZoom() + by, {animate: !of.still}),
      centre: () => [map.getCenter().lng, map.getCenter().lat],
      theme: (dark) => tiles.setUrl(source(dark)),
      resize: () => map.invalidateSize(),
    };
  }

  /* Modules, WebGL2 by a graphics card, no wish to save data. */
  function canDraw() {
    if (!('noModule' in HTMLScriptElement.prototype) || (navigator.connection && navigator.connection.saveData)) return false;
    try {
      const gl = document.createElement('canvas').getContext('webgl2');
      const about = gl && gl.getExtension('WEBGL_debug_renderer_info');
      return !!gl && !(about && /SwiftShader|llvmpipe|Basic Render/i.test(gl.getParameter(about.UNMASKED_RENDERER_WEBGL)));
    } catch (e) {
      return false;
    }
  }

  /** The map in a box. `of`: box, view, dark, layer, still, chosen(id), kind ('leaflet', 'maplibre' or ''). */
  c.makeMap = async (box, of) => {
    const clean = () => {
      const element = c.h('div', {class: 'map-view'});
      c.fill(box, element);
      return element;
    };
    if (of.kind !== 'leaflet' && (of.kind === 'maplibre' || canDraw())) {
      try {
        await Promise.all([load('link', {rel: 'stylesheet', href: '/pages/maplibre/maplibre-gl.css'}), load('script', {type: 'module', src: '/pages/community/map-gl.js'})]);
        return await c.maplibre(clean(), of);
      } catch (e) {
        console.warn(`no MapLibre: ${e.message}`);
      }
    }
    if (!window.L) await load('script', {src: '/pages/leaflet/leaflet.js'});
    return leaflet(clean(), of);
  };
})(window.community);
