// @ts-check
// words.js - what profile, ranking and exports say, in two languages. Pure.

/** @typedef {'zh-CN' | 'en'} Language */

const WORDS = {
  profile: ['画像', 'Profile'], ranking: ['排名', 'Ranking'], exports: ['导出', 'Export'],
  area: ['范围', 'Area'], lasso: ['套索', 'Lasso'], circle: ['圆', 'Circle'], unit: ['单元', 'Unit'], clear: ['清除', 'Clear'], radius: ['半径(米)', 'Radius, m'], centre: ['圆心(经度,纬度)', 'Centre (lon, lat)'], draw_circle: ['画圆', 'Draw circle'],
  how: ['用套索(L)在地图上圈一片,以一点为圆心画圆,或在地图、表格中选一个单元。', 'Draw an area on the map with the lasso (L), a circle around a place, or choose a unit on the map or in a table.'],
  drawing: ['按住拖动画出范围,或逐点单击;回车或双击结束,Esc 取消', 'Drag around the area, or click its corners; Enter or a double click ends it, Esc cancels'], drawing_circle: ['从圆心向外拖动;Esc 取消', 'Drag from the centre outwards; Esc cancels'],
  not_a_place: ['圆心应为“经度,纬度”,例如 113.75,23.02', 'A centre is LON,LAT, such as 113.75,23.02'], not_a_radius: ['半径为 {least} 到 {most} 米', 'A radius is {least} to {most} m'], too_small: ['范围太小,请重画', 'Too small an area: draw it again'],
  drawn_area: ['圈选范围', 'Drawn area'], circle_of: ['半径 {m} 米的圆', 'Circle of {m} m'], km2: ['{n} 平方公里', '{n} km²'],
  layer: ['图层', 'Layer'], here: ['范围内', 'Here'], of_city: ['占全市', 'Of city'], per: ['相对于', 'Per'], no_rate: ['不计比率', 'no rate'], interval: ['95%区间', '95 % interval'], city: ['全市', 'City'], against_short: ['对比', 'vs city'],
  higher: ['高于全市', 'higher'], lower: ['低于全市', 'lower'], same: ['与全市无差异', 'not different'], unknown: ['无法判断', 'unknown'],
  counts: ['各图层数量', 'Counts of every layer'], trend: ['{layer} · 趋势', '{layer} over time'], by_day: ['按日', 'by day'], by_month: ['按月', 'by month'], trend_city: ['细线:全市,按总量折算', 'Line: the city, scaled to the same total'], parts: ['{layer} · 构成', '{layer} by category'], part_city: ['竖线:全市占比', 'Tick: share in the city'], fdr_of: ['{n} 项一并与全市比较,{sure} 项有差异(错误发现率 5%)', '{n} compared with the city together, {sure} differ (false discovery rate 5 %)'],
  not_told: ['涉及个人,不按圈选范围统计', 'About persons: not told of drawn areas'], hidden: ['不予显示', 'not told'], unknown_cell: ['未知', 'unknown'], awaited: ['未接入', 'not connected'], filter_on: ['筛选只作用于{layer}', 'The filter acts on {layer} only'], all_time: ['{layers}不分时段,为全部时间', 'Of all time, whatever the period: {layers}'],
  most: ['最高 {n}', 'at most {n}'], no_value: ['(空)', '(no value)'], first_of: ['前 {n} 项,共 {all} 项', 'the first {n} of {all}'],
  csv: ['CSV', 'CSV'], rows: ['明细', 'Rows'], loading: ['正在读取…', 'Loading…'], failed: ['读不到:{why}', 'Cannot be read: {why}'], again: ['再试', 'Try again'], nothing: ['没有数据', 'Nothing here'], no_server: ['服务器没有回答', 'the server does not answer'],
  name: ['名称', 'Name'], count: ['数量', 'Count'], share: ['占比', 'Share'], exposure: ['基数', 'Exposed'], rate: ['比率', 'Rate'], level: ['单元级别', 'Units'], show_all: ['显示全部 {n} 个', 'Show all {n}'], none: ['(不在任何单元)', '(in no unit)'], refused_per: ['这一基数涉及个人,您的角色看不到比率', 'This base is about persons: rates are not for your role'], 
  sheet: ['逾期清单(打印;限本辖区网格管理员和管理员)', 'Overdue list to print (officers of the area, administrators)'], legend_of_cells: ['“·”不予显示,“0”为零,“?”未知;▲ 高于全市,▽ 低于全市,≈ 无差异(95%)', '“·” not told, “0” zero, “?” unknown; ▲ higher than the city, ▽ lower, ≈ not different (95 %)'],
  export_analysis: ['分析结果', 'What was found'], export_rows: ['数据', 'Rows'], holds_all: ['全部 {n} 行;数据截至 {t}', 'All {n} rows; data as of {t}'], export_field: ['热力场(GeoTIFF)', 'Heat field (GeoTIFF)'], export_map: ['地图图片(PNG)', 'Map picture (PNG)'], export_addresses: ['在 QGIS 中打开', 'Open in QGIS'], export_tables: ['表格', 'Tables'],
  holds: ['{n} 行,含当前筛选与时段;数据截至 {t}', '{n} rows with the current filter and period; data as of {t}'], holds_area: ['{n} 行,限圈选范围内,含当前筛选与时段;数据截至 {t}', '{n} rows within the drawn area with the current filter and period; data as of {t}'], audited: ['下载会记入审计日志。', 'A download leaves a line in the audit.'], field_kept: ['您的角色不能取走这张热力的数值(它可能涉及个人),只能看图。', 'Your role may not take the values of this field away (it may weigh persons): it is a map to look at.'], not_exported: ['您的角色不能导出数据。', 'Your role may not take rows away.'], personal_layer: ['这一图层逐行涉及个人,不能导出。', 'Rows of this layer are about single persons: they are not exported.'],
  field_holds: ['与地图相同的热力值,float32,含当前筛选与时段;数据截至 {t}', 'The values of the map, float32, with the current filter and period; data as of {t}'], whole: ['全市', 'Whole city'], view: ['当前视图', 'This view'], cell: ['单元(米)', 'Cell, m'], automatic: ['自动', 'automatic'], no_field: ['这一图层没有热力场。', 'This layer has no field.'],
  size: ['尺寸', 'Size'], as_screen: ['与屏幕相同 {w}×{h}', 'As on screen {w}×{h}'], picture: ['下载 PNG', 'Download PNG'], picture_holds: ['含图例、时段、筛选、核函数与带宽、来源、比例尺、日期{mark}', 'With legend, period, filter, kernel and bandwidth, source, scale bar, date{mark}'], mark: ['和“合成数据”字样', ' and the mark “Synthetic data”'],
  preparing: ['正在准备 {what} …', 'Preparing {what} …'], begun: ['{what} 开始下载({size})', '{what}: download begun ({size})'], source: ['来源 {from}', 'Source: {from}'], period_is: ['时段 {from} 至 {to}', 'Period: {from} to {to}'], period_all: ['时段 全部', 'Period: all times'], filter_is: ['筛选 {text}', 'Filter: {text}'], as_of: ['数据截至 {t}', 'Data as of {t}'], synthetic: ['合成数据', 'Synthetic data'],
  copy: ['复制', 'Copy'], copied: ['已复制', 'Copied'], copy_link: ['复制此视图的链接', 'Copy a link to this view'], copy_failed: ['请手动复制', 'Copy it by hand'], token_note: ['需要令牌:QGIS 里选“基本认证”,密码填令牌(用户名随意);其他程序在请求头加 Authorization: Bearer 令牌', 'A token is needed: in QGIS as the password of Basic authentication (any user name); elsewhere as the header Authorization: Bearer TOKEN'],
  xyz: ['XYZ 瓦片', 'XYZ tiles'], mvt: ['矢量瓦片', 'Vector tiles'], style: ['样式', 'Style'], wmts: ['WMTS', 'WMTS'], features: ['OGC API Features', 'OGC API Features'], items: ['当前筛选的行(GeoJSON)', 'Rows with this filter (GeoJSON)'],
};

/** @param {Language} lang */
export const words = (lang) => {
  const column = lang === 'en' ? 1 : 0;
  /** @param {keyof typeof WORDS} key @param {Record<string, any>} [values] */
  return (key, values) => WORDS[key][column].replace(/\{(\w+)\}/g, (hole, name) => String(values?.[name] ?? hole));
};
