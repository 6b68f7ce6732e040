# hotspots.R FOLDER - localG of spdep and p.adjust on what bench_hotspots left.
ok <- suppressWarnings(suppressMessages(require(spdep, quietly = TRUE)))
if (!ok) { cat("no spdep: not measured\n"); quit(status = 0) }
f <- file(file.path(commandArgs(TRUE)[1], "gistar_units"), "rb")
own <- readBin(f, "double", 1)
head <- readBin(f, "integer", 4)          # two numbers of 64 bits
n <- head[1]; links <- head[3]
value <- readBin(f, "double", n)
first <- readBin(f, "integer", 2 * (n + 1))[c(TRUE, FALSE)]
to <- readBin(f, "integer", links)
z <- readBin(f, "double", n); q <- readBin(f, "double", n)
close(f)
nb <- lapply(seq_len(n), function(i)
  if (first[i + 1] > first[i]) to[(first[i] + 1):first[i + 1]] + 1L else 0L)
class(nb) <- "nb"; attr(nb, "region.id") <- as.character(seq_len(n))
lw <- nb2listw(include.self(nb), style = "B", zero.policy = TRUE)
best <- Inf
for (k in 1:5) {
  begun <- proc.time()[["elapsed"]]
  for (r in 1:20) {
    g <- as.numeric(localG(value, lw, zero.policy = TRUE))
    a <- p.adjust(2 * pnorm(-abs(g)), "BH")
  }
  best <- min(best, (proc.time()[["elapsed"]] - begun) / 20)
}
cat(sprintf("%-44s %12d %12s %12s %12d\n", "Gi* and FDR of units, spdep", 1L,
            sprintf("%.3f ms", best * 1e3), "-", n))
cat(sprintf("%-44s z differs by %.1e, q by %.1e at most\n", "Gi* and FDR of units",
            max(abs(g - z)), max(abs(a - q))))
cat(sprintf("%-44s %.2f times as fast as spdep %s\n", "Gi* and FDR of units",
            best / own, packageVersion("spdep")))
quit(status = if (max(abs(g - z)) < 1e-6) 0 else 1)
