// Draws the charts of report.html in the chosen language and fits them to the paper when printing.
(function () {
  "use strict";
  var report = window.gridcheckReport;
  var root = document.documentElement;
  var charts = Array.prototype.slice.call(document.querySelectorAll("[data-chart]"));
  var PRINT_WIDTH_PX = 680;
  Plotly.register(report.locale);

  function show(language) {
    root.setAttribute("data-language", language);
    root.setAttribute("lang", report.lang[language]);
    document.title = report.title[language];
    document.querySelectorAll("[data-choose]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-choose") === language));
    });
    charts.forEach(function (place) {
      var figure = report.figures[language][place.getAttribute("data-chart")];
      // Plotly writes into what it is given, so each drawing gets its own copy.
      var copy = JSON.parse(JSON.stringify(figure));
      Plotly.react(place, copy.data, copy.layout, report.config[language]);
    });
  }

  document.querySelectorAll("[data-choose]").forEach(function (button) {
    button.addEventListener("click", function () {
      show(button.getAttribute("data-choose"));
    });
  });
  window.addEventListener("beforeprint", function () {
    charts.forEach(function (place) {
      Plotly.relayout(place, { width: PRINT_WIDTH_PX });
    });
  });
  window.addEventListener("afterprint", function () {
    charts.forEach(function (place) {
      Plotly.relayout(place, { width: null, autosize: true });
    });
  });
  show(root.getAttribute("data-language"));
})();
