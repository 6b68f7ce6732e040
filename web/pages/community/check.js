/* check.js - new enough? In the oldest script there is, so that any browser can
 * say no. Else all scripts come as one (web/server/files.c). */
(function () {
  var enough = 'fetch' in window && 'URLSearchParams' in window && 'entries' in Object &&
    'Promise' in window && 'finally' in Promise.prototype &&
    'closest' in Element.prototype && 'append' in Element.prototype &&
    window.CSS && CSS.supports && CSS.supports('--a', '0') && CSS.supports('display', 'grid');
  window.community = {};
  if (!enough) {
    document.documentElement.className += ' too-old';
    return;
  }
  var script = document.createElement('script');
  // What the address says; else, but in a frame, the browser's.
  var lang = (/[?&]lang=(\w\w)/.exec(location.search) || [])[1] || !document.documentElement.hasAttribute('data-embed') && (navigator.languages || [navigator.language])[0];
  script.src = '/pages/community/page-' + (/^en/.test(lang) ? 'en' : 'zh') + '.js';
  script.defer = script.async = false;
  document.head.appendChild(script);
})();
