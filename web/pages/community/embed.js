/* embed.js - <one-map layer="service_centre" town="" village="" center="lon,lat"
 * zoom="" lang="zh-CN|en" theme="light|dark" height="560">: the residents' map in
 * a frame of its own that can do nothing to the page around it. No key, no
 * cookie, no other host than the one that this script comes from. */
(function () {
  'use strict';

  const NAMES = ['layer', 'town', 'village', 'center', 'zoom', 'lang', 'theme'];
  const script = document.currentScript;
  const origin = script && script.src ? new URL(script.src).origin : location.origin;

  function frame(element) {
    const asked = new URLSearchParams();
    for (const name of NAMES) if (element.getAttribute(name)) asked.set(name, element.getAttribute(name));
    const english = /^en/.test(asked.get('lang') || '');
    if (asked.has('lang')) asked.set('lang', english ? 'en' : 'zh');
    const address = `${origin}/embed${asked.toString() ? `?${asked}` : ''}`;
    let inner = element.firstElementChild;
    if (!inner || inner.tagName !== 'IFRAME') {
      while (element.firstChild) element.removeChild(element.firstChild);
      inner = document.createElement('iframe');
      // Scripts, and links in a window of their own; not this page's origin.
      inner.setAttribute('sandbox', 'allow-scripts allow-popups allow-popups-to-escape-sandbox');
      inner.setAttribute('referrerpolicy', 'no-referrer');
      inner.setAttribute('loading', 'lazy');
      Object.assign(inner.style, {display: 'block', width: '100%', height: '100%', border: '0'});
      element.style.display = 'block';
      element.append(inner);
    }
    const height = parseInt(element.getAttribute('height'), 10);
    if (!element.style.height || height) element.style.height = `${height >= 200 ? height : 560}px`;
    inner.title = english ? 'Community map' : '社区地图';
    if (inner.src !== address) inner.src = address;
  }

  if (window.customElements) {
    if (!customElements.get('one-map'))
      customElements.define('one-map', class extends HTMLElement {
        static get observedAttributes() { return NAMES.concat('height'); }
        connectedCallback() { frame(this); }
        attributeChangedCallback() { if (this.isConnected) frame(this); }
      });
  } else {
    const all = () => Array.prototype.forEach.call(document.querySelectorAll('one-map'), frame);
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all);
    else all();
  }
})();
