/* check.js - is the browser new enough? In the oldest script there is, so that
 * any browser can say no. If it is, the page's scripts come as one, with the
 * words of the language that was asked for (web/server/files.c joins them). */
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
  script.src = '/pages/community/page-' + (/[?&]lang=en(&|$)/.test(location.search) ? 'en' : 'zh') + '.js';
  script.defer = script.async = false;
  document.head.appendChild(script);
})();
